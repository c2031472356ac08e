'use strict';
// a paused reader stalls the writer: no drain until it resumes
const { LO, later, net, rec, scenario } = require('./recorder');
scenario(__filename, 'FLOW-8 DRAIN-1 DRAIN-4 WRITE-3 WRITE-6');

const BIG = 24 << 20;
let peer;
const srv = net.createServer((s) => {
  peer = s;
  s.pause();
  let n = 0;
  s.on('data', (d) => {
    n += d.length;
    if (n === BIG) rec('server_socket', 'all', n);
  });
  s.on('end', () => rec('server_socket', 'end'));
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = net.connect(srv.address().port, LO);
  c.resume();
  c.on('connect', () => {
    rec('client', 'write', c.write(Buffer.alloc(BIG)), c.writableNeedDrain);
    c.on('drain', () => {
      rec('client', 'drain', c.writableLength, c.writableNeedDrain);
      c.end();
    });
    later(300, () => {
      rec('client', 'mark', 'peer resumes', c.writableLength > 0);
      peer.resume();
    });
  });
  c.on('close', (h) => rec('client', 'close', h));
});
