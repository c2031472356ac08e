'use strict';
// disjoint protocol versions
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
scenario(__filename, 'TLSVER-2 TLSERR-2 TLSERR-1');

const srv = watch_tls_server(
  'server',
  tls.createServer(server_options({ minVersion: 'TLSv1.3' })),
);
srv.listen(0, LO, () => {
  const c = watch_tls(
    'client',
    tls.connect({
      port: srv.address().port,
      host: LO,
      ca: CA,
      maxVersion: 'TLSv1.2',
    }),
  );
  c.on('close', () => later(50, () => srv.close()));
});
