'use strict';
// destroySoon(): pending output is delivered first
const { LO, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'DEST-7 END-2 DATA-1');

const srv = net.createServer((s) => {
  let n = 0;
  s.on('data', (d) => {
    n += d.length;
  });
  s.on('end', () => rec('server_socket', 'end', n));
  s.on('close', (h) => {
    rec('server_socket', 'close', h);
    srv.close();
  });
});
srv.listen(0, LO, () => {
  const c = watch('client', net.connect(srv.address().port, LO), {
    data: false,
  });
  c.on('connect', () => {
    c.write(Buffer.alloc(10 << 20));
    c.destroySoon();
    rec('client', 'mark', 'destroySoon() returned', c.destroyed, c.writable);
  });
});
