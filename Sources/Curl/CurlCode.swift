import CLibcurl

/// libcurl's number for how a transfer ended (libcurl-errors(3)).
package struct CurlCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    init(_ code: CURLcode) {
        rawValue = code.rawValue
    }

    package static let ok = CurlCode(CURLE_OK)
    package static let couldNotResolveHost = CurlCode(CURLE_COULDNT_RESOLVE_HOST)
    package static let couldNotConnect = CurlCode(CURLE_COULDNT_CONNECT)
    package static let weirdServerReply = CurlCode(CURLE_WEIRD_SERVER_REPLY)
    package static let writeError = CurlCode(CURLE_WRITE_ERROR)
    package static let timedOut = CurlCode(CURLE_OPERATION_TIMEDOUT)
    package static let nothingReceived = CurlCode(CURLE_GOT_NOTHING)
    package static let sendError = CurlCode(CURLE_SEND_ERROR)
    package static let receiveError = CurlCode(CURLE_RECV_ERROR)
    /// The certificate is unknown, or is for another name.
    package static let peerNotVerified = CurlCode(CURLE_PEER_FAILED_VERIFICATION)
    /// TLS was required and the server does not offer it.
    package static let tlsRequired = CurlCode(CURLE_USE_SSL_FAILED)
    package static let loginDenied = CurlCode(CURLE_LOGIN_DENIED)

    /// libcurl's own words, which hold nothing of the transfer.
    package var description: String {
        unsafe String(cString: curl_easy_strerror(CURLcode(rawValue)))
    }
}
