'use strict';
// a descriptor that is no socket gives an async error
const { fs, mark, net, path, rec, scenario, tmp, watch_server } =
  require('./recorder');
scenario(__filename, 'LISTEN-14 LISTEN-17');

const f = path.join(tmp(), 'file');
const fd = fs.openSync(f, 'w');
const srv = watch_server('server', net.createServer());
srv.listen({ fd });
mark('server', 'listen() returned');
srv.on('error', () => {
  rec('server', 'listening?', srv.listening);
  fs.closeSync(fd);
});
