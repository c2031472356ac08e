'use strict';
// end() right after a huge write: nothing is lost
const { LO, crypto, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'END-2 DATA-1 WRITE-6 END-4 CNT-4');

const buf = Buffer.alloc(12 << 20, 'ab');
const srv = net.createServer((s) => {
  let n = 0;
  const h = crypto.createHash('sha256');
  s.on('data', (d) => {
    n += d.length;
    h.update(d);
  });
  s.on('end', () =>
    rec('server_socket', 'end', n, h.digest('hex').slice(0, 16)),
  );
  s.on('close', (x) => {
    rec('server_socket', 'close', x);
    srv.close();
  });
});
srv.listen(0, LO, () => {
  const c = watch('client', net.connect(srv.address().port, LO));
  c.on('connect', () => {
    rec('client', 'write', c.write(buf));
    c.end(() => rec('client', 'end-callback', c.writableLength));
  });
  c.on('close', () => rec('client', 'bytesWritten', c.bytesWritten));
});
