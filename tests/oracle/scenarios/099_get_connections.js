'use strict';
// counts are delivered asynchronously and follow accept / close
const { LO, later, net, rec, scenario } = require('./recorder');
scenario(__filename, 'GETC-1 GETC-2 GETC-3');

const srv = net.createServer((s) => {
  s.resume();
});
const q = (label) =>
  new Promise((ok) => {
    const r = srv.getConnections((e, n) => {
      rec('server', 'count', label, e, n);
      ok();
    });
    rec('server', 'mark', 'returned', r === srv);
  });
srv.listen(0, LO, async () => {
  await q('none');
  const two = [];
  for (let i = 0; i < 2; i++) {
    const c = net.connect(srv.address().port, LO);
    c.resume();
    two.push(c);
  }
  await new Promise((ok) => {
    let n = 0;
    srv.on('connection', () => {
      if (++n === 2) ok();
    });
  });
  await q('two');
  two[0].end();
  await new Promise((ok) => two[0].on('close', ok));
  await new Promise((ok) => later(100, ok));
  await q('one');
  two[1].destroy();
  srv.on('close', () => q('closed'));
  srv.close();
});
