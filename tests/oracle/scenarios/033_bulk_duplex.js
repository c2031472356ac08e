'use strict';
// 2 MiB each way at once, order and totals
const { LO, crypto, net, rec, scenario, sha } = require('./recorder');
scenario(__filename, 'DATA-1 DATA-6 WRITE-6 CNT-1 END-2');

const mk = (seed) => {
  const b = Buffer.alloc(2 << 20);
  for (let i = 0; i < b.length; i++) b[i] = (i * seed + (i >> 12)) & 255;
  return b;
};
const A = mk(31),
  B = mk(17);
const drive = (actor, s, out) => {
  const h = crypto.createHash('sha256');
  let n = 0;
  s.on('data', (d) => {
    h.update(d);
    n += d.length;
  });
  s.on('end', () => rec(actor, 'end', n, h.digest('hex').slice(0, 16)));
  s.on('error', (e) => rec(actor, 'error', e.code));
  s.on('close', (x) => rec(actor, 'close', x, s.bytesRead, s.bytesWritten));
  for (let i = 0; i < out.length; i += 65536)
    s.write(out.subarray(i, i + 65536));
  s.end();
};
rec('expected', 'sha', sha(A), sha(B));
const srv = net.createServer((s) => drive('server_socket', s, B));
srv.listen(0, LO, () => {
  const c = net.connect(srv.address().port, LO);
  drive('client', c, A);
  c.on('close', () => srv.close());
});
