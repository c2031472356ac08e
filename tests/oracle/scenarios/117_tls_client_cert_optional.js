'use strict';
// requestCert with rejectUnauthorized:false: connection proceeds, flags tell
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
scenario(__filename, 'TLSCC-6 TLSCC-2 TLSCERT-2');

const srv = tls.createServer(
  server_options({ ca: CA, requestCert: true, rejectUnauthorized: false }),
  (s) => {
    rec(
      'server',
      'secure',
      s.authorized,
      s.authorizationError,
      (s.getPeerCertificate().subject || {}).CN || null,
    );
    s.end('ok');
  },
);
srv.on('tlsClientError', (e) => rec('server', 'UNEXPECTED', e.code));
const go = (actor, extra, next) =>
  watch_tls(
    actor,
    tls.connect({ port: srv.address().port, host: LO, ca: CA, ...extra }),
  ).on('close', next);
srv.listen(0, LO, () =>
  go('none', {}, () =>
    go(
      'rogue',
      { key: pem('rogue-key.pem'), cert: pem('rogue-cert.pem') },
      () =>
        go(
          'good',
          { key: pem('client-key.pem'), cert: pem('client-cert.pem') },
          () => srv.close(),
        ),
    ),
  ),
);
