'use strict';
// addresses, getConnections and close() behave as on net
const {
  CA,
  later,
  LO,
  mark,
  rec,
  scenario,
  server_options,
  tls,
  watch_server,
  watch_tls,
} = require('./tls_recorder');
scenario(__filename, 'TLSHS-7 ADDR-2 GETC-1 SCLOSE-3');

const srv = watch_server(
  'server',
  tls.createServer(server_options(), (s) => {
    rec('server', 'secureConnection');
    rec(
      'server_socket',
      'addr',
      s.remoteAddress,
      s.localPort === port,
      s.address().family,
    );
    srv.getConnections((e, n) => rec('server', 'count', n));
    srv.close(() => rec('server', 'close-callback'));
    mark('server', 'close() returned');
    later(100, () => s.end('bye'));
  }),
);
let port;
srv.listen(0, LO, () => {
  port = srv.address().port;
  const c = watch_tls('client', tls.connect({ port, host: LO, ca: CA }));
  c.on('secureConnect', () =>
    rec(
      'client',
      'addr',
      c.remoteAddress,
      c.remotePort === port,
      c.localAddress,
    ),
  );
});
