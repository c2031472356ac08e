'use strict';
// close() refuses newcomers but waits for open connections
const { LO, later, mark, net, rec, scenario, watch, watch_server } =
  require('./recorder');
scenario(__filename, 'SCLOSE-1 SCLOSE-3 SCLOSE-4 SCLOSE-5 GETC-1');

const srv = watch_server(
  'server',
  net.createServer((s) => {
    rec('server', 'connection');
    s.on('data', () => s.end('late reply'));
    srv.close((e) => rec('server', 'close-callback', e ? e.code : null));
    rec('server', 'mark', 'close() returned', srv.listening, srv.address());
  }),
);
srv.listen(0, LO, () => {
  const port = srv.address().port;
  const c = watch('client', net.connect(port, LO));
  c.on('connect', () =>
    later(150, () => {
      srv.getConnections((e, n) => rec('server', 'count', n));
      const d = watch('newcomer', net.connect(port, LO));
      d.on('close', () => {
        mark('server', 'still waiting');
        c.write('finish');
      });
    }),
  );
});
