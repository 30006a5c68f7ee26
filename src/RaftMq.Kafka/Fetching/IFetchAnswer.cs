namespace RaftMq.Kafka.Fetching;

/// <summary>Where a fetch's parts go when they are complete. Exactly one method is called, once, perhaps inside a section.</summary>
internal interface IFetchAnswer
{
    /// <summary>Takes what it needs of the parts; they are used again afterwards.</summary>
    void Complete(ReadOnlySpan<FetchPart> parts);

    /// <summary>The connection is gone; nobody reads an answer.</summary>
    void Abandon();
}
