'use strict';
// classic producer loop: write until false, continue on 'drain', end at the
// last block
const { LO, net, rec, scenario } = require('./recorder');
scenario(__filename, 'DRAIN-1 DRAIN-3 END-1 END-2 WRITE-3');

const N = 200,
  BLK = Buffer.alloc(64 * 1024, 'q');
const srv = net.createServer((s) => {
  let n = 0;
  s.on('data', (d) => {
    n += d.length;
  });
  s.on('end', () => rec('server_socket', 'end', n));
  s.on('close', (h) => {
    rec('server_socket', 'close', h);
    srv.close();
  });
});
srv.listen(0, LO, () => {
  const c = net.connect(srv.address().port, LO);
  c.resume();
  let i = 0,
    falses = 0,
    drains = 0,
    bad = 0;
  const pump = () => {
    while (i < N) {
      i++;
      if (!c.write(BLK)) {
        falses++;
        return;
      }
    }
    c.end();
  };
  c.on('drain', () => {
    drains++;
    if (c.writableLength !== 0) bad++;
    pump();
  });
  pump(); // starts while connecting: the first write already returns false
  rec('client', 'first', falses, i);
  c.on('close', (h) => rec('client', 'close', h, falses === drains, bad));
});
