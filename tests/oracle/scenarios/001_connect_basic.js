'use strict';
// connect() is asynchronous; callback is a one-time listener registered at call
// time; flags before and after
const { LO, mark, net, rec, scenario } = require('./recorder');
scenario(__filename, 'CONN-1 CONN-2 CONN-3 CONN-4 EVT-6');

const srv = net.createServer((s) => {
  s.on('error', () => {});
  s.resume();
  s.on('end', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = net.connect(srv.address().port, LO, () =>
    rec('client', 'callback', c.connecting, c.pending, c.readyState),
  );
  mark('client', 'connect() returned');
  rec('client', 'flags', c.connecting, c.pending, c.readyState);
  c.on('connect', () => {
    rec('client', 'connect', c.connecting, c.pending, c.readyState);
    c.end();
  });
  c.on('end', () => rec('client', 'end'));
  c.on('close', (h) => rec('client', 'close', h));
  c.resume();
});
