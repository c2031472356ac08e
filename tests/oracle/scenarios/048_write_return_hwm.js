'use strict';
// exact high-water-mark arithmetic while connecting
const { LO, later, net, rec, scenario } = require('./recorder');
scenario(__filename, 'WRITE-3 WRITE-4 WRITE-5 DRAIN-1 DRAIN-4');

const srv = net.createServer((s) => {
  let n = 0;
  s.on('data', (d) => {
    n += d.length;
  });
  s.on('end', () => rec('server_socket', 'total', n));
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = net.connect(srv.address().port, LO);
  c.resume();
  rec('client', 'hwm', c.writableHighWaterMark);
  rec(
    'client',
    'write',
    c.write(Buffer.alloc(16383)),
    c.writableLength,
    c.writableNeedDrain,
  );
  rec(
    'client',
    'write',
    c.write(Buffer.alloc(1)),
    c.writableLength,
    c.writableNeedDrain,
  );
  rec(
    'client',
    'write',
    c.write(Buffer.alloc(10)),
    c.writableLength,
    c.writableNeedDrain,
  );
  c.on('drain', () => {
    rec('client', 'drain', c.writableLength, c.writableNeedDrain);
    later(50, () => c.end());
  });
  c.on('close', () => rec('client', 'close'));
});
