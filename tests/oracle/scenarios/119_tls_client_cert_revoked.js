'use strict';
// server with a CRL flags a revoked client certificate
const {
  CA,
  LO,
  pem,
  rec,
  scenario,
  server_options,
  tls,
  watch_tls,
} = require('./tls_recorder');
scenario(__filename, 'TLSCC-8 TLSCC-6 TLSAUTH-8');

const srv = tls.createServer(
  server_options({
    ca: CA,
    crl: pem('ca-crl.pem'),
    requestCert: true,
    rejectUnauthorized: false,
  }),
  (s) => {
    rec('server', 'secure', s.authorized, s.authorizationError);
    s.end('ok');
  },
);
const go = (actor, n, next) =>
  watch_tls(
    actor,
    tls.connect({
      port: srv.address().port,
      host: LO,
      ca: CA,
      key: pem(n + '-key.pem'),
      cert: pem(n + '-cert.pem'),
    }),
  ).on('close', next);
srv.listen(0, LO, () =>
  go('revoked', 'revoked', () => go('good', 'client', () => srv.close())),
);
