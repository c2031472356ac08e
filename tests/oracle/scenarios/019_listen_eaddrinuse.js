'use strict';
// busy port: async error, no close, same server can retry
const { LO, later, mark, net, rec, scenario, watch_server } =
  require('./recorder');
scenario(__filename, 'LISTEN-7 LISTEN-8 LISTEN-17 ERR-4 EVT-6');

const a = net.createServer(),
  b = watch_server('b', net.createServer());
a.listen(0, LO, () => {
  const port = a.address().port;
  b.on('error', (e) => {
    rec(
      'b',
      'error-fields',
      e.syscall,
      e.address,
      e.port === port,
      b.listening,
      b.address(),
    );
    later(50, () => b.listen(0, LO));
  });
  b.on('listening', () => {
    rec('b', 'other-port', b.address().port !== port);
    b.close();
    a.close();
  });
  b.listen(port, LO);
  mark('b', 'listen() returned');
});
