using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace RaftMq.Server.Admin;

/// <summary>What no path answers, and what can't be read, is answered as a problem (RFC 9457) with a sentence that says what to do.</summary>
internal static class HttpProblems
{
    private const string ContentType = "application/problem+json";

    public static void Use(WebApplication application) => application.Use(async (context, next) =>
    {
        string? detail = null;
        try
        {
            await next(context);
        }
        catch (BadHttpRequestException wrong) when (!context.Response.HasStarted)
        {
            context.Response.StatusCode = wrong.StatusCode;
            detail = wrong switch
            {
                RequestFaultException fault => fault.Message,
                { InnerException: JsonException json } => DetailOf(json),
                _ => null,
            };
        }

        // Whoever answered with a body gave it a content type.
        if (context.Response is { HasStarted: false, StatusCode: >= 400, ContentType: null })
        {
            await WriteAsync(context, detail ?? DetailOf(context));
        }
    });

    // The reader's own fault is inside where the text is no JSON at all; it counts lines and bytes from 0.
    private static string DetailOf(JsonException json) => json switch
    {
        { InnerException: JsonException } =>
            $"The body is not JSON, or ends too early: look at line {json.LineNumber + 1}, byte {json.BytePositionInLine + 1}.",
        { Path: { Length: > 1 } path } =>
            $"The body is not the JSON that is expected: look at {path}. Fields that are not known are refused too, and values of settings are strings; docs/http.md shows bodies.",
        _ => "The body is not the JSON that is expected; docs/http.md shows bodies.",
    };

    private static string DetailOf(HttpContext context)
    {
        (string method, PathString path) = (context.Request.Method, context.Request.Path);
        return context.Response.StatusCode switch
        {
            StatusCodes.Status404NotFound => $"There is nothing at {path}; docs/http.md lists the paths.",
            StatusCodes.Status405MethodNotAllowed => $"{path} does not take {method}; it takes {context.Response.Headers.Allow}.",
            StatusCodes.Status413PayloadTooLarge => $"The body is larger than {HttpFace.RequestBytesMax} bytes.",
            StatusCodes.Status415UnsupportedMediaType => $"{method} {path} takes JSON: send it with the header Content-Type: application/json.",
            StatusCodes.Status408RequestTimeout => "The body came too slowly.",
            StatusCodes.Status400BadRequest => $"{method} {path} takes JSON as its body, and no whole one came; docs/http.md shows bodies.",
            _ => "The request can't be read.",
        };
    }

    private static Task WriteAsync(HttpContext context, string detail)
    {
        int status = context.Response.StatusCode;
        context.Response.ContentType = ContentType;
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(
            new { type = "about:blank", title = TitleOf(status), status, detail }, JsonSerializerOptions.Web);
        context.Response.ContentLength = body.Length;
        return context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    private static string TitleOf(int status) => status switch
    {
        StatusCodes.Status400BadRequest => "Bad Request",
        StatusCodes.Status404NotFound => "Not Found",
        StatusCodes.Status405MethodNotAllowed => "Method Not Allowed",
        StatusCodes.Status408RequestTimeout => "Request Timeout",
        StatusCodes.Status413PayloadTooLarge => "Content Too Large",
        StatusCodes.Status415UnsupportedMediaType => "Unsupported Media Type",
        _ => "Error",
    };
}
