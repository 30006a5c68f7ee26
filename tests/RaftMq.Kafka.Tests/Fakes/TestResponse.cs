using System.Buffers.Binary;
using RaftMq.Kafka.Connections;
using RaftMq.Kafka.Wire;

namespace RaftMq.Kafka.Tests.Fakes;

/// <summary>The place of one answer. As strict as a connection: exactly one end, once.</summary>
internal sealed class TestResponse(MessageSchema? request, int version, int correlation) : IPendingResponse
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly TaskCompletionSource<bool> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when the connection would be read on.</summary>
    public Task Handled { get; set; } = Task.CompletedTask;

    public bool IsEnded => ended.Task.IsCompleted;

    /// <summary>The frame with its length prefix.</summary>
    public byte[]? Frame { get; private set; }

    public int Pieces { get; private set; }

    public string? ClosedBecause { get; private set; }

    public bool Nothing { get; private set; }

    public void Complete(KafkaResponse response)
    {
        Pieces = response.Buffers.Count;
        Frame = response.Buffers.SelectMany(piece => piece.ToArray()).ToArray();
        Assert.Equal(response.LengthBytes, Frame.Length);
        response.Dispose();
        End();
    }

    public void CompleteWithNothing()
    {
        Nothing = true;
        End();
    }

    public void Close(string reason)
    {
        ClosedBecause = reason;
        End();
    }

    public Task EndAsync() => ended.Task.WaitAsync(Patience);

    public async Task<TResponse> ReadAsync<TResponse>()
        where TResponse : class, IKafkaMessage<TResponse>
    {
        await EndAsync();
        return Decode<TResponse>();
    }

    public TResponse Decode<TResponse>()
        where TResponse : class, IKafkaMessage<TResponse>
    {
        Assert.Null(ClosedBecause);
        Assert.NotNull(Frame);
        Assert.Equal(Frame.Length - 4, BinaryPrimitives.ReadInt32BigEndian(Frame));
        var reader = new KafkaReader(Frame.AsMemory(4));
        Assert.True(KafkaFrameReader.TryReadResponseHeader(ref reader, request!, version, out int got));
        Assert.Equal(correlation, got);
        Assert.True(TResponse.TryRead(ref reader, version, out TResponse? message), reader.FaultText);
        Assert.Equal(0, reader.Remaining);
        return message;
    }

    private void End() => Assert.True(ended.TrySetResult(true), "answered twice");
}
