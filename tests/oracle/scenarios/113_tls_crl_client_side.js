'use strict';
// a client with a CRL refuses a revoked server certificate, without the CRL it accepts
const {
  CA,
  later,
  LO,
  pem,
  scenario,
  tls,
  watch_tls,
} = require('./tls_recorder');
scenario(__filename, 'TLSAUTH-8 TLSAUTH-1');

const srv = tls.createServer(
  { key: pem('revoked-key.pem'), cert: pem('revoked-cert.pem') },
  (s) => {
    s.on('error', () => {});
    s.end('ok');
  },
);
srv.on('tlsClientError', () => {});
srv.listen(0, LO, () => {
  const a = watch_tls(
    'no_crl',
    tls.connect({ port: srv.address().port, host: LO, ca: CA }),
  );
  a.on('close', () =>
    watch_tls(
      'with_crl',
      tls.connect({
        port: srv.address().port,
        host: LO,
        ca: CA,
        crl: pem('ca-crl.pem'),
      }),
    ).on('close', () => later(50, () => srv.close())),
  );
});
