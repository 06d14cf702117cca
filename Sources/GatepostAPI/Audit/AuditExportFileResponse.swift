import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird
import NIOCore

/// The file of a finished export as an answer: part by part, whole or from a byte on.
struct AuditExportFileResponse: Sendable {
    let export: AuditExportRecord
    let scope: AppScope
    let flow: AdminAuditFlow

    /// What the file is called by: it never changes, so its hash is a strong validator (RFC 9110, section 8.8.3).
    private var entityTag: String { "\"\((export.fileHash ?? []).hexadecimal)\"" }

    /// The first byte that is asked for; throws a `Problem` where the file has ended before.
    ///
    /// `bytes=N-` is how a broken download is resumed. Any other range is none of ours, and the whole file is a right
    /// answer to it (RFC 9110, section 14.2); so it is where `If-Range` names another file.
    func start(of request: Request) throws -> Int64 {
        let ranges = request.headers[values: .range]
        guard ranges.count == 1, let match = ranges[0].wholeMatch(of: /bytes=([0-9]{1,18})-/),
            let start = Int64(match.1)
        else { return 0 }
        if let condition = request.headers[.ifRange], condition != entityTag { return 0 }
        guard start < export.byteCount || start == 0 else {
            var problem = Problem(.rangeNotSatisfiable)
            problem.headers[.contentRange] = "bytes */\(export.byteCount)"
            throw problem
        }
        return start
    }

    func response(from start: Int64) -> Response {
        var headers = HTTPFields(fixed: [
            "Content-Type": export.format == .csv ? "text/csv; charset=utf-8" : "application/x-ndjson",
            "Content-Disposition": "attachment; filename=\"\(export.id).\(export.format.rawValue)\"",
            "Accept-Ranges": "bytes",
            "ETag": entityTag,
        ])
        if start > 0 { headers[.contentRange] = "bytes \(start)-\(export.byteCount - 1)/\(export.byteCount)" }
        let body = ResponseBody(contentLength: Int(export.byteCount - start)) { writer in
            // The next part is read when this one has left: a slow reader holds one part in memory, no more.
            var (next, failure) = (writer, nil as (any Error)?)
            do {
                try await flow.read(from: start, of: export, in: scope) { bytes in
                    try await next.write(ByteBuffer(bytes: bytes))
                }
            } catch {
                failure = error
            }
            writer = next
            // Without its end the answer is shorter than it says, and the reader knows.
            if let failure { throw failure }
            try await writer.finish(nil)
        }
        return Response(status: start > 0 ? .partialContent : .ok, headers: headers, body: body)
    }
}
