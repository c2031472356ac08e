'use strict';
// data that arrived before the first listener is kept
const { LO, later, mark, net, scenario, watch } = require('./recorder');
scenario(__filename, 'FLOW-3 FLOW-2 FLOW-1 ACC-3');

const srv = net.createServer((s) => {
  later(150, () => {
    mark('server_socket', 'attaching');
    watch('server_socket', s, { connect: false });
    mark('server_socket', 'attached');
  });
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = net.connect(srv.address().port, LO);
  c.resume();
  c.write('kept ');
  c.end('safe');
});
