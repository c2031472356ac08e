'use strict';
// idle timeout fires once, does not close, both sides stay usable
const { LO, later, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'TIME-1 TIME-4 TIME-6 TIME-10 HALF-6');

const srv = net.createServer((s) => {
  watch('server_socket', s, { connect: false });
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = watch('client', net.connect(srv.address().port, LO));
  c.on('connect', () => {
    rec(
      'client',
      'set',
      c.timeout === undefined,
      c.setTimeout(100, () => rec('client', 'timeout-callback')) === c,
      c.timeout,
    );
    later(550, () => {
      rec('client', 'state', c.destroyed, c.writable);
      c.end('still usable');
    });
  });
});
