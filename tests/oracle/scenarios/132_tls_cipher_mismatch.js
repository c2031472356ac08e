'use strict';
// no common cipher
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
scenario(__filename, 'TLSVER-3 TLSERR-2 TLSERR-1');

const srv = watch_tls_server(
  'server',
  tls.createServer(
    server_options({
      maxVersion: 'TLSv1.2',
      ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256',
    }),
  ),
);
srv.listen(0, LO, () => {
  const c = watch_tls(
    'client',
    tls.connect({
      port: srv.address().port,
      host: LO,
      ca: CA,
      ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384',
      maxVersion: 'TLSv1.2',
    }),
  );
  c.on('close', () => later(50, () => srv.close()));
});
