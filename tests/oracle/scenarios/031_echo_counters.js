'use strict';
// echo; byte counters on both ends, kept after close
const { LO, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'DATA-1 DATA-5 CNT-1 CNT-2 CNT-4 END-9');

const srv = net.createServer((s) => {
  watch('server_socket', s, { connect: false });
  s.on('data', (d) => s.write(d));
  s.on('close', () => {
    rec('server_socket', 'bytes', s.bytesRead, s.bytesWritten);
    srv.close();
  });
});
srv.listen(0, LO, () => {
  const c = watch('client', net.connect(srv.address().port, LO));
  let got = 0;
  rec('client', 'bytes', c.bytesRead, c.bytesWritten);
  c.on('connect', () => {
    c.write('hello ');
    c.write('world!');
  });
  c.on('data', (d) => {
    got += d.length;
    if (got === 12) c.end();
  });
  c.on('close', () => rec('client', 'bytes', c.bytesRead, c.bytesWritten));
});
