'use strict';
// sockets accepted before close() stay fully usable; two close() calls, one
// event
const { LO, later, mark, net, scenario, watch, watch_server } =
  require('./recorder');
scenario(__filename, 'SCLOSE-3 ACC-6 GETC-2 SCLOSE-7');

const srv = watch_server(
  'server',
  net.createServer((s) => {
    watch('server_socket', s, { connect: false });
    s.on('data', (d) => {
      s.write('echo:' + d);
    });
  }),
);
srv.listen(0, LO, () => {
  const c = watch('client', net.connect(srv.address().port, LO));
  c.once('data', () => {
    srv.close();
    srv.close();
    mark('server', 'close() returned');
    later(60, () => c.write('after'));
    c.once('data', () => c.end());
  });
  c.on('connect', () => c.write('before'));
});
