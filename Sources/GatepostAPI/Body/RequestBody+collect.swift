import GatepostModel
import HTTPTypes
import Hummingbird

/// The connection broke, or sent what is no HTTP, while a body was read.
///
/// Wrapped so that nobody tries to answer: the server closes the connection when it sees the error itself.
struct BrokenRequest: Error {
    let underlying: any Error
}

extension Request {
    /// The whole body, if it is of this content type and within the limit.
    func collectBody(ofType mediaType: String) async throws -> [UInt8] {
        guard let type = headers[.contentType], Self.essence(of: type) == mediaType,
            headers[.contentEncoding].map({ $0 == "identity" }) ?? true
        else { throw Problem(.unsupportedMediaType, detail: "Send \(mediaType).") }
        if let length = headers[.contentLength].flatMap({ Int($0) }), length > ServerLimits.bodyBytesMax {
            throw Self.tooLarge
        }
        do {
            let buffer = try await body.collect(upTo: ServerLimits.bodyBytesMax)
            return Array(buffer.readableBytesView)
        } catch is any HTTPResponseError {
            throw Self.tooLarge
        } catch {
            throw BrokenRequest(underlying: error)
        }
    }

    private static var tooLarge: Problem {
        Problem(.bodyTooLarge, detail: "A body has at most \(ServerLimits.bodyBytesMax) bytes.")
    }

    /// `application/json` of `Application/JSON; charset=utf-8`.
    private static func essence(of mediaType: String) -> String {
        let essence = mediaType.prefix { $0 != ";" }.lowercased()
        return String(essence.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }
}
