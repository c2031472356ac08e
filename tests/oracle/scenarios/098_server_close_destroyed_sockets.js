'use strict';
// destroying the last connection completes close()
const { LO, later, mark, net, scenario, watch, watch_server } =
  require('./recorder');
scenario(__filename, 'SCLOSE-3 SCLOSE-5 DEST-1');

const socks = [];
const srv = watch_server(
  'server',
  net.createServer((s) => {
    s.on('error', () => {});
    s.resume();
    socks.push(s);
    if (socks.length === 2) {
      srv.close();
      mark('server', 'close() returned');
      later(80, () => {
        mark('server', 'destroy 1');
        socks[0].destroy();
        later(80, () => {
          mark('server', 'destroy 2');
          socks[1].destroy();
        });
      });
    }
  }),
);
srv.listen(0, LO, () => {
  for (const n of ['a', 'b'])
    watch('client_' + n, net.connect(srv.address().port, LO));
});
