#include "aws/service.h"

#define JSON_10 "application/x-amz-json-1.0"
#define JSON_11 "application/x-amz-json-1.1"
#define FORM "application/x-www-form-urlencoded; charset=utf-8"

static const struct ryde_aws_service_facts facts[RYDE_AWS_SERVICES] = {
    [RYDE_AWS_KINESIS] = {"Kinesis", "kinesis", "kinesis", "KINESIS", JSON_11,
	"Kinesis_20131202"},
    [RYDE_AWS_DYNAMODB] = {"DynamoDB", "dynamodb", "dynamodb", "DYNAMODB", JSON_10,
	"DynamoDB_20120810"},
    [RYDE_AWS_SQS] = {"SQS", "sqs", "sqs", "SQS", JSON_10, "AmazonSQS"},
    [RYDE_AWS_S3] = {"S3", "s3", "s3", "S3", 0, 0},
    [RYDE_AWS_FIREHOSE] = {"Firehose", "firehose", "firehose", "FIREHOSE", JSON_11,
	"Firehose_20150804"},
    [RYDE_AWS_ATHENA] = {"Athena", "athena", "athena", "ATHENA", JSON_11, "AmazonAthena"},
    [RYDE_AWS_LAMBDA] = {"Lambda", "lambda", "lambda", "LAMBDA", "application/json", 0},
    [RYDE_AWS_COGNITO_IDENTITY] = {"Cognito", "cognito-identity", "cognito-identity",
	"COGNITO_IDENTITY", JSON_11, "AWSCognitoIdentityService"},
    [RYDE_AWS_STS] = {"STS", "sts", "sts", "STS", FORM, 0},
    [RYDE_AWS_SSO] = {"IAM Identity Center", "portal.sso", "awsssoportal", "SSO", 0, 0},
    [RYDE_AWS_SSO_OIDC] = {"IAM Identity Center", "oidc", "sso-oauth", "SSO_OIDC",
	"application/json", 0},
};

const struct ryde_aws_service_facts *
ryde_aws_service_facts(enum ryde_aws_service service)
{
	return &facts[service];
}
