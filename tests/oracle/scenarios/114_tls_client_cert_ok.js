'use strict';
// mutual TLS with a good client certificate
const {
  CA,
  LO,
  pem,
  rec,
  scenario,
  server_options,
  tls,
  watch_tls,
  watch_tls_server,
} = require('./tls_recorder');
scenario(__filename, 'TLSCC-1 TLSCC-2 TLSCERT-1 TLSHS-4');

const srv = tls.createServer(
  server_options({ ca: CA, requestCert: true }),
  (s) => {
    const p = s.getPeerCertificate();
    rec(
      'server_socket',
      'peer',
      s.authorized,
      s.authorizationError,
      p.subject.CN,
      p.issuer.CN,
    );
    s.end('welcome');
    s.on('close', () => srv.close());
  },
);
watch_tls_server('server', srv);
srv.listen(0, LO, () =>
  watch_tls(
    'client',
    tls.connect({
      port: srv.address().port,
      host: LO,
      ca: CA,
      key: pem('client-key.pem'),
      cert: pem('client-cert.pem'),
    }),
  ),
);
