'use strict';
// above maxConnections: 'drop' with addresses instead of 'connection'; client
// sees connect, end, close
const { LO, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'MAXC-1 MAXC-2 MAXC-3 END-6');

const srv = net.createServer((s) => {
  rec('server', 'connection');
  s.resume();
});
srv.maxConnections = 1;
srv.listen(0, LO, () => {
  const port = srv.address().port;
  const c = net.connect(port, LO);
  c.resume();
  let d;
  srv.on('drop', (i) => {
    rec(
      'server',
      'drop',
      Object.keys(i).sort(),
      i.localAddress,
      i.localPort === port,
      i.localFamily,
      i.remoteAddress,
      i.remoteFamily,
      i.remotePort === d.localPort,
    );
  });
  srv.once('connection', () => {
    d = watch('refused', net.connect(port, LO));
    d.on('close', () => {
      srv.getConnections((e, n) => {
        rec('server', 'count', n);
        c.end();
        srv.close();
      });
    });
  });
});
