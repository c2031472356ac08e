'use strict';
// one 'drain' per saturation episode
const { LO, net, rec, scenario } = require('./recorder');
scenario(__filename, 'DRAIN-5 DRAIN-1 WRITE-3');

const CH = 8 << 20;
let total = 0;
const srv = net.createServer((s) => {
  s.on('data', (d) => {
    total += d.length;
  });
  s.on('close', () => {
    rec('server_socket', 'total', total);
    srv.close();
  });
});
srv.listen(0, LO, () => {
  const c = net.connect(srv.address().port, LO);
  c.resume();
  let round = 0;
  const go = () => {
    rec('client', 'write', c.write(Buffer.alloc(CH)));
  };
  c.on('drain', () => {
    rec('client', 'drain');
    if (++round < 3) go();
    else c.end();
  });
  c.on('connect', go);
  c.on('close', () => rec('client', 'close'));
});
