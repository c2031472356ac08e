'use strict';
// without data listener or resume() 'end' never comes; resume() discards
const { LO, later, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'FLOW-1 FLOW-6 END-6');

const srv = net.createServer((s) => {
  watch('server_socket', s, { connect: false, data: false });
  later(200, () => {
    rec('server_socket', 'mark', 'before resume()', s.bytesRead > 0);
    s.resume();
  });
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = net.connect(srv.address().port, LO);
  c.resume();
  c.end('ignored');
});
