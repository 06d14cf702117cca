import CLibcurl

/// libcurl's multi handle: many transfers on one thread.
///
/// All of it belongs to the driver's thread except `wake`, which libcurl allows from any thread while the handle
/// exists, and it exists as long as this object. That is why it may be `Sendable`.
@safe
final class MultiHandle: @unchecked Sendable {
    private let pointer: UnsafeMutableRawPointer

    init(connectionsMax: Int, hostConnectionsMax: Int) throws(CurlError) {
        guard EasyHandle.isLibraryReady, let pointer = unsafe curl_multi_init() else {
            throw .unsupported(CurlCode(CURLE_FAILED_INIT))
        }
        unsafe self.pointer = pointer
        let limits = [
            (CURLMOPT_MAXCONNECTS, connectionsMax), (CURLMOPT_MAX_TOTAL_CONNECTIONS, connectionsMax),
            (CURLMOPT_MAX_HOST_CONNECTIONS, hostConnectionsMax),
        ]
        for (option, value) in limits where unsafe gatepost_multi_set_long(pointer, option, value) != CURLM_OK {
            throw .unsupported(CurlCode(CURLE_BAD_FUNCTION_ARGUMENT))
        }
    }

    deinit {
        unsafe curl_multi_cleanup(pointer)
    }

    func add(_ handle: EasyHandle) throws(CurlError) {
        guard unsafe curl_multi_add_handle(pointer, handle.pointer) == CURLM_OK else {
            throw .unsupported(CurlCode(CURLE_FAILED_INIT))
        }
    }

    func remove(_ handle: EasyHandle) {
        unsafe curl_multi_remove_handle(pointer, handle.pointer)
    }

    /// Lets every transfer do what it can without waiting.
    func perform() {
        var runningCount: Int32 = 0
        unsafe curl_multi_perform(pointer, &runningCount)
    }

    /// Waits until there is traffic, a timer of libcurl's, or a wake-up.
    func poll(milliseconds: Int32) {
        unsafe curl_multi_poll(pointer, nil, 0, milliseconds, nil)
    }

    /// Ends the current or the next `poll`.
    func wake() {
        unsafe curl_multi_wakeup(pointer)
    }

    /// The address of the next handle that has finished, and how.
    func nextFinished() -> (address: UInt, CurlCode)? {
        var remainingCount: Int32 = 0
        while let message = unsafe curl_multi_info_read(pointer, &remainingCount) {
            guard unsafe message.pointee.msg == CURLMSG_DONE, let handle = unsafe message.pointee.easy_handle
            else { continue }
            return (UInt(bitPattern: handle), CurlCode(unsafe gatepost_message_result(message)))
        }
        return nil
    }
}

extension EasyHandle {
    /// Tells handles apart in a dictionary.
    var address: UInt { unsafe UInt(bitPattern: pointer) }
}
