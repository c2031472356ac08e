'use strict';
// destroy(err): error then close(true); peer unaffected by the error
const { LO, mark, net, scenario, watch } = require('./recorder');
scenario(__filename, 'DEST-2 DEST-3 CLOSE-2 CLOSE-3 DEST-5 ERR-1');

const srv = net.createServer((s) => {
  watch('server_socket', s, { connect: false });
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = watch('client', net.connect(srv.address().port, LO));
  c.on('connect', () => {
    const e = new Error('mine');
    e.code = 'E_MINE';
    const e2 = new Error('second');
    e2.code = 'E_SECOND';
    c.destroy(e);
    c.destroy(e2);
    mark('client', 'destroy() returned');
  });
});
