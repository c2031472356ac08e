'use strict';
// all byte values survive; Buffer without setEncoding
const { LO, net, rec, scenario, sha } = require('./recorder');
scenario(__filename, 'DATA-2 DATA-3 DATA-1');

const all = Buffer.from(
  Array.from({ length: 1024 }, (_, i) => (i * 7 + (i >> 8)) & 255),
);
const srv = net.createServer((s) => {
  const b = [];
  s.on('data', (d) => {
    b.push(d);
  });
  s.on('end', () => {
    const x = Buffer.concat(b);
    rec('server_socket', 'got', x.length, x.equals(all), Buffer.isBuffer(b[0]));
    s.end(x.reverse());
  });
});
srv.listen(0, LO, () => {
  const c = net.connect(srv.address().port, LO),
    b = [];
  c.on('data', (d) => b.push(d));
  c.end(all);
  c.on('end', () => rec('client', 'got', sha(Buffer.concat(b))));
  c.on('close', (h) => {
    rec('client', 'close', h);
    srv.close();
  });
});
