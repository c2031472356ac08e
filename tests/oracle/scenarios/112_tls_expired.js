'use strict';
// expired server certificate
const {
  CA,
  later,
  LO,
  mark,
  pem,
  scenario,
  tls,
  watch_tls,
} = require('./tls_recorder');
scenario(__filename, 'TLSAUTH-6 TLSAUTH-1 CLOSE-3');

const srv = tls.createServer(
  { key: pem('expired-key.pem'), cert: pem('expired-cert.pem') },
  (s) => {
    s.on('error', () => {});
    s.resume();
  },
);
srv.on('tlsClientError', () => {});
srv.listen(0, LO, () => {
  const c = watch_tls(
    'client',
    tls.connect({ port: srv.address().port, host: LO, ca: CA }),
  );
  mark('client', 'connect() returned');
  c.on('close', () => later(50, () => srv.close()));
});
