using Microsoft.AspNetCore.Http;

namespace RaftMq.Server.Admin;

/// <summary>The request can't be served as it is; the message is a sentence for the one who sent it. Answered with 400.</summary>
internal sealed class RequestFaultException : BadHttpRequestException
{
    public RequestFaultException(string message)
        : base(message)
    {
    }
}
