// TLS and HTTP/2 before a stub that speaks HTTP/1.1 only: how many connections there were is a file's number of bytes.
// usage: node h2front.js PORT-FILE TO-PORT CERT KEY CONNECTIONS
const fs = require("fs");
const http = require("http");
const http2 = require("http2");

const [portFile, to, cert, key, connections] = process.argv.slice(2);
const server = http2.createSecureServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key), allowHTTP1: false });
server.on("session", () => fs.appendFileSync(connections, "x"));
server.on("stream", (stream, head) => {
	const headers = {};
	for (const name of Object.keys(head)) {
		if (!name.startsWith(":")) headers[name] = head[name];
	}
	headers.host = head[":authority"];
	const request = http.request({ host: "127.0.0.1", port: to, method: head[":method"], path: head[":path"], headers }, (answer) => {
		stream.respond({ ":status": answer.statusCode, "content-type": answer.headers["content-type"] || "application/json" });
		answer.pipe(stream);
		answer.on("error", () => stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR));
	});
	request.on("error", () => stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR));
	stream.on("close", () => request.destroy());
	stream.on("error", () => request.destroy());
	stream.pipe(request);
});
server.listen(0, "127.0.0.1", () => {
	fs.writeFileSync(portFile + ".new", String(server.address().port));
	fs.renameSync(portFile + ".new", portFile);
});
