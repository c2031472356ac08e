'use strict';
// 'lookup' precedes 'connect' for host names and is absent for IP literals
const { LO, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'CONN-10 CONN-2');

const srv = net.createServer((s) => s.end());
srv.listen(0, LO, () => {
  const port = srv.address().port;
  const run = (actor, host, next) => {
    const c = net.connect({ host, port, family: 4 });
    c.on('lookup', (err, addr, fam, h) =>
      rec(actor, 'lookup', err, addr, fam, h),
    );
    watch(actor, c).on('close', next);
  };
  run('by_name', 'localhost', () => run('by_ip', LO, () => srv.close()));
});
