'use strict';
// timeout given to createConnection
const { LO, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'TIME-12 CONN-18 TIME-1');

const srv = net.createServer((s) => {
  s.resume();
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = watch(
    'client',
    net.createConnection({ port: srv.address().port, host: LO, timeout: 150 }),
  );
  rec('client', 'prop', c.timeout);
  c.on('timeout', () => c.end());
});
