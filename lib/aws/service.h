/*
 * The services of AWS that ryde speaks to: what each is called, in addresses, signatures,
 * settings and headers.
 *
 * Source: the service models of botocore (endpointPrefix, signingName, jsonVersion,
 * targetPrefix, serviceId).
 */
#ifndef RYDE_AWS_SERVICE_H
#define RYDE_AWS_SERVICE_H

enum ryde_aws_service {
	RYDE_AWS_KINESIS,
	RYDE_AWS_DYNAMODB,
	RYDE_AWS_SQS,
	RYDE_AWS_S3,
	RYDE_AWS_FIREHOSE,
	RYDE_AWS_ATHENA,
	RYDE_AWS_LAMBDA,
	RYDE_AWS_COGNITO_IDENTITY,
	RYDE_AWS_STS,
	RYDE_AWS_SSO,
	RYDE_AWS_SSO_OIDC,
};
#define RYDE_AWS_SERVICES 11

struct ryde_aws_service_facts {
	const char *title;	  /* "Kinesis": for messages */
	const char *prefix;	  /* "kinesis": the first part of its host name */
	const char *signing;	  /* "kinesis": its name in signatures */
	const char *variable;	  /* "KINESIS": behind AWS_ENDPOINT_URL_; in lower case a
				     section of [services] */
	const char *content_type; /* of a request with a body; NULL: as the call says */
	const char *target; /* "Kinesis_20131202": before the operation in X-Amz-Target;
			       NULL: none */
};

/* Constant; never NULL. */
const struct ryde_aws_service_facts *ryde_aws_service_facts(
    enum ryde_aws_service service);

#endif
