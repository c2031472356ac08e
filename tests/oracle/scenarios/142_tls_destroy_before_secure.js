'use strict';
// client destroyed as soon as TCP is up: no error locally, tlsClientError at the server
const {
  CA,
  later,
  LO,
  mark,
  scenario,
  server_options,
  tls,
  watch_tls,
  watch_tls_server,
} = require('./tls_recorder');
scenario(__filename, 'TLSEND-5 TLSERR-6 CONN-17');

const srv = watch_tls_server('server', tls.createServer(server_options()));
srv.listen(0, LO, () => {
  const c = watch_tls(
    'client',
    tls.connect({ port: srv.address().port, host: LO, ca: CA }),
  );
  c.on('connect', () => {
    c.destroy();
    mark('client', 'destroy() returned');
  });
  c.on('close', () => later(100, () => srv.close()));
});
