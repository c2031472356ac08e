'use strict';
// 'ready' directly follows 'connect', both before data
const { LO, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'CONN-5 CONN-2');

const srv = net.createServer((s) => s.end('hi'));
srv.listen(0, LO, () => {
  const c = watch(
    'client',
    net.connect({ port: srv.address().port, host: LO }),
  );
  c.on('ready', () => rec('client', 'ready'));
  c.on('close', () => srv.close());
});
