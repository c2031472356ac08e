'use strict';
// a self-signed certificate listed in ca is fine; otherwise DEPTH_ZERO_SELF_SIGNED_CERT
const {
  later,
  LO,
  pem,
  rec,
  scenario,
  tls,
  watch_tls,
} = require('./tls_recorder');
scenario(__filename, 'TLSAUTH-4 TLSAUTH-1');

const srv = tls.createServer(
  { key: pem('selfsigned-key.pem'), cert: pem('selfsigned-cert.pem') },
  (s) => {
    s.on('error', () => {});
    s.end('ok');
  },
);
srv.on('tlsClientError', () => {});
srv.listen(0, LO, () => {
  const a = watch_tls(
    'trusting',
    tls.connect({
      port: srv.address().port,
      host: LO,
      ca: pem('selfsigned-cert.pem'),
    }),
  );
  a.on('secureConnect', () => rec('trusting', 'auth', a.authorized));
  a.on('close', () => {
    const b = watch_tls(
      'default',
      tls.connect({ port: srv.address().port, host: LO }),
    );
    b.on('close', () => later(50, () => srv.close()));
  });
});
