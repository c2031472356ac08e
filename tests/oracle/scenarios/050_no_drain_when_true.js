'use strict';
// no 'drain' when no write() returned false
const { LO, later, net, rec, scenario } = require('./recorder');
scenario(__filename, 'DRAIN-2 WRITE-3');

const srv = net.createServer((s) => {
  s.resume();
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = net.connect(srv.address().port, LO);
  c.resume();
  rec(
    'client',
    'write',
    c.write(Buffer.alloc(1000)),
    c.write(Buffer.alloc(1000)),
  );
  c.on('drain', () => rec('client', 'UNEXPECTED drain'));
  c.on('connect', () => {
    rec('client', 'write', c.write('x'));
    later(150, () => c.end());
  });
  c.on('close', () => rec('client', 'close'));
});
