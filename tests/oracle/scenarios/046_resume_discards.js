'use strict';
// resume() with no listener loses data but still counts it
const { LO, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'FLOW-6 DATA-5 CNT-1');

const srv = net.createServer((s) => {
  s.resume();
  s.once('end', () => {
    rec('server_socket', 'end', s.bytesRead);
  });
  s.on('close', (h) => {
    rec('server_socket', 'close', h);
    srv.close();
  });
});
srv.listen(0, LO, () => {
  const c = watch('client', net.connect(srv.address().port, LO));
  c.end('12345');
});
