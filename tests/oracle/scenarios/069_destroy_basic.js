'use strict';
// destroy(): immediate flags, async single close(false), peer sees 'end'
const { LO, mark, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'DEST-1 DEST-3 DEST-4 DEST-5 CLOSE-1 CLOSE-5');

const srv = net.createServer((s) => {
  watch('server_socket', s, { connect: false });
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = watch('client', net.connect(srv.address().port, LO));
  c.on('connect', () => {
    const r = c.destroy();
    rec(
      'client',
      'mark',
      'destroy() returned',
      r === c,
      c.destroyed,
      c.readable,
      c.writable,
    );
    c.destroy();
    c.destroy(new Error('ignored'));
    mark('client', 'repeated destroy() returned');
  });
});
