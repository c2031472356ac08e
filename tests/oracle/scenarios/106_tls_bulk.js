'use strict';
// 2 MiB each way through TLS; counters count application bytes
const {
  CA,
  crypto,
  LO,
  rec,
  scenario,
  server_options,
  sha,
  tls,
} = require('./tls_recorder');
scenario(__filename, 'TLSDATA-3 DATA-1 END-2 CNT-1');

const mk = (seed) => {
  const b = Buffer.alloc(2 << 20);
  for (let i = 0; i < b.length; i++) b[i] = (i * seed + (i >> 10)) & 255;
  return b;
};
const A = mk(13),
  B = mk(7);
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
  for (let i = 0; i < out.length; i += 100000)
    s.write(out.subarray(i, i + 100000));
  s.end();
};
rec('expected', 'sha', sha(A), sha(B));
const srv = tls.createServer(server_options(), (s) =>
  drive('server_socket', s, B),
);
srv.listen(0, LO, () => {
  const c = tls.connect({ port: srv.address().port, host: LO, ca: CA });
  drive('client', c, A);
  c.on('close', () => srv.close());
});
