'use strict';
// writes and reads push the deadline back; idle afterwards fires
const { LO, later, net, rec, scenario } = require('./recorder');
scenario(__filename, 'TIME-2 TIME-5');

const srv = net.createServer((s) => {
  s.on('data', (d) => s.write(d));
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = net.connect(srv.address().port, LO);
  let busy = true,
    n = 0;
  c.resume();
  c.setTimeout(500);
  c.on('timeout', () => {
    rec('client', 'timeout', busy ? 'WHILE BUSY' : 'idle');
    if (++n === 1) {
      c.write('again');
    } else {
      c.end();
    }
  });
  const t = setInterval(() => c.write('tick'), 100);
  later(1500, () => {
    clearInterval(t);
    busy = false;
  });
  c.on('close', (h) => rec('client', 'close', h));
});
