namespace RaftMq.Server.Security;

/// <summary>PEM files of one listener. Read again when they change, so that a renewed certificate needs no restart.</summary>
/// <param name="CertificatePath">The certificate, followed by the chain to send if there is one.</param>
/// <param name="KeyPath">Its private key, not encrypted.</param>
/// <param name="AuthorityPath">Certificates of the authorities whose clients are let in; null: clients show no certificate.</param>
internal sealed record CertificateFiles(string CertificatePath, string KeyPath, string? AuthorityPath);
