'use strict';
// listener order, once, snapshot semantics of emit, seen through a server's
// events
const { LO, net, rec, scenario } = require('./recorder');
scenario(__filename, 'EVT-1 EVT-2 EVT-3 EVT-5');

const srv = net.createServer();
const late = () => rec('server', 'late');
const removed = () => rec('server', 'removed-listener');
srv.on('listening', () => {
  rec('server', 'first');
  srv.on('listening', late);
  srv.removeListener('listening', removed);
});
srv.once('listening', () => rec('server', 'once'));
srv.on('listening', removed);
srv.listen(0, LO, () => {
  rec('server', 'callback');
  rec('server', 'count', srv.listenerCount('listening'));
  setImmediate(() =>
    srv.close(() => {
      rec('server', 'emit-returns', srv.emit('nobody-listens'));
      srv.listen(0, LO);
      srv.on('listening', () => srv.close());
    }),
  );
});
