'use strict';
// the same under TLS 1.2: client fails before secureConnect
const {
  CA,
  later,
  LO,
  scenario,
  server_options,
  tls,
  watch_tls,
  watch_tls_server,
} = require('./tls_recorder');
scenario(__filename, 'TLSCC-3 TLSCC-5 TLSERR-2 CLOSE-2');

const srv = tls.createServer(
  server_options({ ca: CA, requestCert: true, maxVersion: 'TLSv1.2' }),
);
watch_tls_server('server', srv);
srv.listen(0, LO, () => {
  const c = watch_tls(
    'client',
    tls.connect({ port: srv.address().port, host: LO, ca: CA }),
  );
  c.on('close', () => later(50, () => srv.close()));
});
