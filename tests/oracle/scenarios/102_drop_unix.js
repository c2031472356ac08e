'use strict';
// 'drop' on a unix socket server carries no data
const { net, path, rec, scenario, tmp, watch } = require('./recorder');
scenario(__filename, 'MAXC-6 UNIX-6 MAXC-2');

const p = path.join(tmp(), 'd.sock');
const srv = net.createServer((s) => {
  s.resume();
});
srv.maxConnections = 1;
srv.on('drop', (i) => rec('server', 'drop', i === undefined || i === null));
srv.listen(p, () => {
  const c = net.connect(p);
  c.resume();
  srv.once('connection', () =>
    watch('refused', net.connect(p)).on('close', () => {
      c.end();
      srv.close();
    }),
  );
});
