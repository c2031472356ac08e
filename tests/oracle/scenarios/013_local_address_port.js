'use strict';
// localAddress picks the source address; both ends agree
const { LO, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'CONN-11 ACC-8 ADDR-2');

const srv = net.createServer((s) => {
  rec('server_socket', 'peer', s.remoteAddress, s.remoteFamily, s.localAddress);
  s.on('data', (d) => {
    rec('server_socket', 'port-matches', String(s.remotePort) === d.toString());
    s.end();
  });
});
srv.listen(0, LO, () => {
  const c = watch(
    'client',
    net.connect({
      port: srv.address().port,
      host: LO,
      localAddress: '127.0.0.2',
    }),
    { data: false },
  );
  c.resume();
  c.on('connect', () => {
    rec(
      'client',
      'local',
      c.localAddress,
      c.localFamily,
      c.remoteAddress,
      c.remotePort === srv.address().port,
    );
    c.write(String(c.localPort));
  });
  c.on('close', () => srv.close());
});
