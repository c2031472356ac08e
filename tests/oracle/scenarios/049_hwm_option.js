'use strict';
// highWaterMark given to the socket constructor changes the threshold
const { LO, net, rec, scenario } = require('./recorder');
scenario(__filename, 'WRITE-4 WRITE-3');

const srv = net.createServer({ highWaterMark: 1000 }, (s) => {
  rec('server_socket', 'hwm', s.writableHighWaterMark, s.readableHighWaterMark);
  s.resume();
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = new net.Socket({ highWaterMark: 10 });
  c.connect(srv.address().port, LO);
  c.resume();
  rec('client', 'hwm', c.writableHighWaterMark);
  rec('client', 'write', c.write('123456789'));
  rec('client', 'write', c.write('0'));
  rec('client', 'write', c.write('1'));
  c.on('drain', () => {
    rec('client', 'drain');
    c.end();
  });
  c.on('close', () => rec('client', 'close'));
});
