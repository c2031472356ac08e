'use strict';
// one 'connection' per client, independent sockets
const { LO, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'ACC-1 ACC-2 ACC-6 DATA-6');

const srv = net.createServer((s) => {
  rec('server', 'connection', s.connecting, s instanceof net.Socket);
  s.on('connect', () => rec('server', 'UNEXPECTED connect'));
  s.setEncoding('utf8');
  s.on('data', (d) => s.end('re:' + d));
});
srv.listen(0, LO, () => {
  let open = 3;
  for (const n of ['a', 'b', 'c']) {
    const c = watch('client_' + n, net.connect(srv.address().port, LO));
    c.on('connect', () => c.write(n));
    c.on('close', () => {
      if (!--open) srv.close();
    });
  }
});
